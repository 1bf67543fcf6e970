# demo-n1-1795265897.60
   0.002  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.004  开始录音（来电人） | recording of the caller started
   0.004  问候语播完 | the greeting ended
   0.007  服务指示去向 queue:general | the service said: queue:general
   0.007  进入队列 general，第 1 位 | joined queue general at position 1
   0.009  座席 1001 振铃 | seat 1001 rings
   0.211  开始录音（座席 1001） | recording of seat 1001 started
   0.222  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)

# demo-n1-1795265903.0
   5.485  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   5.488  开始录音（来电人） | recording of the caller started
   5.489  问候语播完 | the greeting ended
   5.493  服务指示去向 queue:general | the service said: queue:general
   5.493  进入队列 general，第 1 位 | joined queue general at position 1
  13.501  座席 1001 振铃 | seat 1001 rings
  13.704  开始录音（座席 1001） | recording of seat 1001 started
  13.705  座席 1001 接听（等待 8 秒，振铃 0 秒） | seat 1001 answered (waited 8 s, rang 0 s)
  14.208  与座席 1001 通话 0 秒 | talked to seat 1001 for 0 s
  14.209  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265897.60, channel PJSIP/demo-carrier-00000034, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265897.60
   0.001  leg belongs: leg n1-1795265897.60, call demo-n1-1795265897.60, endpoint demo-carrier
   0.002  call arrived: call demo-n1-1795265897.60, leg n1-1795265897.60, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 1a518fb5223c8602
   0.003  leg answered: leg n1-1795265897.60
   0.004  recording started: call demo-n1-1795265897.60, leg n1-1795265897.60, file 20261121/demo-n1-1795265897.60/n1-1795265897.60.wav
   0.004  greeting ended: call demo-n1-1795265897.60
   0.007  advice asked: call demo-n1-1795265897.60, status SUCCESS, next queue:general, by service
   0.007  queue joined: call demo-n1-1795265897.60, leg n1-1795265897.60, city demo, queue general, position 1, waiting 1
   0.008  leg started: leg n1-1795265897.61, channel PJSIP/demo-1001-00000035, call demo-n1-1795265897.60, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265897.60
   0.009  seat rang: call demo-n1-1795265897.60, city demo, queue general, seat 1001, leg n1-1795265897.61
   0.010  leg rang: leg n1-1795265897.61
   0.010  seat device: city demo, seat 1001, state ringing
   0.210  leg answered: leg n1-1795265897.61
   0.210  seat device: city demo, seat 1001, state inuse
   0.211  queue left: call demo-n1-1795265897.60, leg n1-1795265897.60, city demo, queue general, waiting 0
   0.211  recording started: call demo-n1-1795265897.60, leg n1-1795265897.61, file 20261121/demo-n1-1795265897.60/n1-1795265897.61.wav
   0.222  seat answered: call demo-n1-1795265897.60, city demo, queue general, seat 1001, leg n1-1795265897.61, waited 0.0, rang 0.0
   0.224  leg joined: leg n1-1795265897.61, bridge bfebce61-ebdb-4278-bec6-5725085da39a, kind basic
   0.224  leg joined: leg n1-1795265897.60, bridge bfebce61-ebdb-4278-bec6-5725085da39a, kind basic
   0.224  link down: why Asterisk closed the connection
   0.224  link up: version 22.10.1, boot life 2
   0.224  snapshot: legs none; 0 waiting
   5.483  leg started: leg n1-1795265903.0, channel PJSIP/demo-carrier-00000000, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265903.0
   5.484  leg belongs: leg n1-1795265903.0, call demo-n1-1795265903.0, endpoint demo-carrier
   5.485  call arrived: call demo-n1-1795265903.0, leg n1-1795265903.0, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 20e7d972a3db3e5b
   5.487  leg answered: leg n1-1795265903.0
   5.488  recording started: call demo-n1-1795265903.0, leg n1-1795265903.0, file 20261121/demo-n1-1795265903.0/n1-1795265903.0.wav
   5.489  greeting ended: call demo-n1-1795265903.0
   5.493  advice asked: call demo-n1-1795265903.0, status SUCCESS, next queue:general, by service
   5.493  queue joined: call demo-n1-1795265903.0, leg n1-1795265903.0, city demo, queue general, position 1, waiting 1
   7.542  phone gone: city demo, seat 1003, contact sip:demo-1003@127.0.0.1:43699
  12.690  seat device: city demo, seat 1002, state not_inuse
  12.690  phone reachable: city demo, seat 1002, contact sip:demo-1002@127.0.0.1:57027
  12.985  seat device: city demo, seat 1001, state not_inuse
  12.985  phone reachable: city demo, seat 1001, contact sip:demo-1001@127.0.0.1:39744
  13.499  leg started: leg n1-1795265911.1, channel PJSIP/demo-1001-00000001, call demo-n1-1795265903.0, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265903.0
  13.501  seat rang: call demo-n1-1795265903.0, city demo, queue general, seat 1001, leg n1-1795265911.1
  13.501  leg rang: leg n1-1795265911.1
  13.501  seat device: city demo, seat 1001, state ringing
  13.702  leg answered: leg n1-1795265911.1
  13.703  seat device: city demo, seat 1001, state inuse
  13.703  queue left: call demo-n1-1795265903.0, leg n1-1795265903.0, city demo, queue general, waiting 0
  13.704  recording started: call demo-n1-1795265903.0, leg n1-1795265911.1, file 20261121/demo-n1-1795265903.0/n1-1795265911.1.wav
  13.705  seat answered: call demo-n1-1795265903.0, city demo, queue general, seat 1001, leg n1-1795265911.1, waited 8.0, rang 0.0
  13.706  leg joined: leg n1-1795265911.1, bridge 37097bb2-b898-43af-8672-4786b639d071, kind basic
  13.706  leg joined: leg n1-1795265903.0, bridge 37097bb2-b898-43af-8672-4786b639d071, kind basic
  14.208  seat finished: call demo-n1-1795265903.0, city demo, queue general, seat 1001, reason caller, waited 8.0, talked 0.0
  14.208  leg left: leg n1-1795265903.0, bridge 37097bb2-b898-43af-8672-4786b639d071
  14.209  call left: call demo-n1-1795265903.0, by caller, cause 16
  14.209  leg left: leg n1-1795265911.1, bridge 37097bb2-b898-43af-8672-4786b639d071
  14.209  leg ended: leg n1-1795265903.0, cause 16
  14.209  leg ended: leg n1-1795265911.1, cause 16
  14.209  seat device: city demo, seat 1001, state not_inuse
