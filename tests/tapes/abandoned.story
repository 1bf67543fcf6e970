# demo-n1-1795265525.10
   0.002  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.003  开始录音（来电人） | recording of the caller started
   0.004  问候语播完 | the greeting ended
   0.006  服务指示去向 queue:general | the service said: queue:general
   0.006  进入队列 general，第 1 位 | joined queue general at position 1
   0.008  座席 1001 振铃 | seat 1001 rings
   2.012  在队列 general 等待 2 秒后放弃 | gave up waiting in queue general after 2 s
   2.013  来电人挂机，通话结束（原因 0） | the caller hung up; the call ended (cause 0)

# every fact
   0.000  leg started: leg n1-1795265525.10, channel PJSIP/demo-carrier-0000000a, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265525.10
   0.001  leg belongs: leg n1-1795265525.10, call demo-n1-1795265525.10, endpoint demo-carrier
   0.002  call arrived: call demo-n1-1795265525.10, leg n1-1795265525.10, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 63e5095b81a0fcb7
   0.002  leg answered: leg n1-1795265525.10
   0.003  recording started: call demo-n1-1795265525.10, leg n1-1795265525.10, file 20261121/demo-n1-1795265525.10/n1-1795265525.10.wav
   0.004  greeting ended: call demo-n1-1795265525.10
   0.006  advice asked: call demo-n1-1795265525.10, status SUCCESS, next queue:general, by service
   0.006  queue joined: call demo-n1-1795265525.10, leg n1-1795265525.10, city demo, queue general, position 1, waiting 1
   0.007  leg started: leg n1-1795265525.11, channel PJSIP/demo-1001-0000000b, call demo-n1-1795265525.10, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265525.10
   0.008  seat rang: call demo-n1-1795265525.10, city demo, queue general, seat 1001, leg n1-1795265525.11
   0.009  leg rang: leg n1-1795265525.11
   0.010  seat device: city demo, seat 1001, state ringing
   2.012  leg ended: leg n1-1795265525.11, cause 0
   2.012  queue abandoned: call demo-n1-1795265525.10, leg n1-1795265525.10, city demo, queue general, position 1, waited 2.0
   2.012  seat device: city demo, seat 1001, state not_inuse
   2.012  queue left: call demo-n1-1795265525.10, leg n1-1795265525.10, city demo, queue general, waiting 0
   2.013  call left: call demo-n1-1795265525.10, by caller, cause 0
   2.013  leg ended: leg n1-1795265525.10, cause 0
