# every fact
   0.000  seat paused: city demo, seat 1002, queue general, reason lunch
   0.000  seat paused: city demo, seat 1002, queue fund, reason lunch
   0.000  seat paused: city demo, seat 1002, queue expert, reason lunch
   0.000  seat paused: city demo, seat 1002, queue market, reason lunch
   0.001  seat signed in: city demo, seat 1003, queue general, penalty 2, paused False, reason
   0.001  seat unpaused: city demo, seat 1002, queue general
   0.001  seat unpaused: city demo, seat 1002, queue fund
   0.001  seat unpaused: city demo, seat 1002, queue expert
   0.001  seat unpaused: city demo, seat 1002, queue market
   0.001  seat signed out: city demo, seat 1003, queue general
   1.006  seat device: city demo, seat 1001, state unavailable
   1.006  phone gone: city demo, seat 1001, contact sip:demo-1001@127.0.0.1:50741
   1.510  phone reachable: city demo, seat 1001, contact sip:demo-1001@127.0.0.1:50741
   1.511  seat device: city demo, seat 1001, state not_inuse
   1.511  phone reachable: city demo, seat 1001, contact sip:demo-1001@127.0.0.1:50741
  14.510  seat device: city demo, seat 1001, state unavailable
  14.510  phone gone: city demo, seat 1001, contact sip:demo-1001@127.0.0.1:50741
