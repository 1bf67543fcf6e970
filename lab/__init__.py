"""The city outside the house: carriers, citizens, SIP phones, other centres, played by a second Asterisk."""
