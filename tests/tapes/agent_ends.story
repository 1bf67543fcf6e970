# demo-n1-1795265514.4
   0.005  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.006  开始录音（来电人） | recording of the caller started
   0.007  问候语播完 | the greeting ended
   0.009  服务指示去向 queue:general | the service said: queue:general
   0.010  进入队列 general，第 1 位 | joined queue general at position 1
   0.013  座席 1001 振铃 | seat 1001 rings
   0.219  开始录音（座席 1001） | recording of seat 1001 started
   0.220  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   0.721  与座席 1001 通话 1 秒 | talked to seat 1001 for 1 s
   0.723  话务员挂机，通话结束（原因 16） | the agent hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265514.4, channel PJSIP/demo-carrier-00000004, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265514.4
   0.005  leg belongs: leg n1-1795265514.4, call demo-n1-1795265514.4, endpoint demo-carrier
   0.005  call arrived: call demo-n1-1795265514.4, leg n1-1795265514.4, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 99d62ff3f338f308
   0.005  leg answered: leg n1-1795265514.4
   0.006  recording started: call demo-n1-1795265514.4, leg n1-1795265514.4, file 20261121/demo-n1-1795265514.4/n1-1795265514.4.wav
   0.007  greeting ended: call demo-n1-1795265514.4
   0.009  advice asked: call demo-n1-1795265514.4, status SUCCESS, next queue:general, by service
   0.010  queue joined: call demo-n1-1795265514.4, leg n1-1795265514.4, city demo, queue general, position 1, waiting 1
   0.011  leg started: leg n1-1795265514.5, channel PJSIP/demo-1001-00000005, call demo-n1-1795265514.4, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265514.4
   0.013  seat rang: call demo-n1-1795265514.4, city demo, queue general, seat 1001, leg n1-1795265514.5
   0.014  leg rang: leg n1-1795265514.5
   0.014  seat device: city demo, seat 1001, state ringing
   0.216  leg answered: leg n1-1795265514.5
   0.216  seat device: city demo, seat 1001, state inuse
   0.217  queue left: call demo-n1-1795265514.4, leg n1-1795265514.4, city demo, queue general, waiting 0
   0.219  recording started: call demo-n1-1795265514.4, leg n1-1795265514.5, file 20261121/demo-n1-1795265514.4/n1-1795265514.5.wav
   0.220  seat answered: call demo-n1-1795265514.4, city demo, queue general, seat 1001, leg n1-1795265514.5, waited 0.0, rang 0.0
   0.220  leg joined: leg n1-1795265514.5, bridge 67cd58a5-6df0-43b1-872d-d3a70ac93004, kind basic
   0.220  leg joined: leg n1-1795265514.4, bridge 67cd58a5-6df0-43b1-872d-d3a70ac93004, kind basic
   0.721  seat finished: call demo-n1-1795265514.4, city demo, queue general, seat 1001, reason agent, waited 0.0, talked 1.0
   0.721  leg left: leg n1-1795265514.5, bridge 67cd58a5-6df0-43b1-872d-d3a70ac93004
   0.722  leg left: leg n1-1795265514.4, bridge 67cd58a5-6df0-43b1-872d-d3a70ac93004
   0.722  leg ended: leg n1-1795265514.5, cause 16
   0.722  seat device: city demo, seat 1001, state not_inuse
   0.723  queue gave up: call demo-n1-1795265514.4, city demo, queue general, status CONTINUE, key
   0.723  call left: call demo-n1-1795265514.4, by agent, cause 16
   0.724  leg ended: leg n1-1795265514.4, cause 16
