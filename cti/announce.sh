#!/bin/sh
# Classic AGI: Queue() can run nothing else on the caller's channel when an agent has answered, so this asks
# for one subroutine of the dialplan and ends. A shell, because it starts in a millisecond.
while read -r line && [ -n "$line" ]; do :; done
echo "GOSUB seat-announce s 1"
read -r _
