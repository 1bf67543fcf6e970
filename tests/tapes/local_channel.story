# every fact
   0.000  leg started: leg n1-1795265615.41, channel Local/1002@demo-tape-00000001;1, call None, endpoint, caller, called 1002, context demo-tape, linked n1-1795265615.41
   0.000  leg started: leg n1-1795265615.42, channel Local/1002@demo-tape-00000001;2, call None, endpoint, caller, called 1002, context demo-tape, linked n1-1795265615.41
   0.001  leg started: leg n1-1795265615.43, channel PJSIP/demo-1002-00000027, call None, endpoint demo-1002, caller 1002, called, context demo-seats, linked n1-1795265615.41
   0.002  leg rang: leg n1-1795265615.43
   0.002  leg rang: leg n1-1795265615.41
   0.002  seat device: city demo, seat 1002, state ringing
   0.205  leg answered: leg n1-1795265615.43
   0.205  seat device: city demo, seat 1002, state inuse
   0.205  leg answered: leg n1-1795265615.41
   0.205  leg answered: leg n1-1795265615.42
   0.205  leg joined: leg n1-1795265615.43, bridge 766b7aee-bd1e-47af-a5b3-95dcf6cbbfef, kind basic
   0.205  leg joined: leg n1-1795265615.42, bridge 766b7aee-bd1e-47af-a5b3-95dcf6cbbfef, kind basic
   1.210  leg left: leg n1-1795265615.43, bridge 766b7aee-bd1e-47af-a5b3-95dcf6cbbfef
   1.210  leg left: leg n1-1795265615.42, bridge 766b7aee-bd1e-47af-a5b3-95dcf6cbbfef
   1.211  leg ended: leg n1-1795265615.42, cause 16
   1.211  leg ended: leg n1-1795265615.43, cause 16
   1.211  leg ended: leg n1-1795265615.41, cause 16
   1.214  seat device: city demo, seat 1002, state not_inuse
