# demo-n1-1795265778.57
   0.003  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.005  开始录音（来电人） | recording of the caller started
   0.006  问候语播完 | the greeting ended
   0.008  服务指示去向 queue:general | the service said: queue:general
   0.009  进入队列 general，第 1 位 | joined queue general at position 1
   0.011  座席 1001 振铃 | seat 1001 rings
   0.724  开始录音（座席 1003） | recording of seat 1003 started
   0.726  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   3.021  与座席 1001 通话 3 秒 | talked to seat 1001 for 3 s
   3.021  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265778.57, channel PJSIP/demo-carrier-00000031, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265778.57
   0.002  leg belongs: leg n1-1795265778.57, call demo-n1-1795265778.57, endpoint demo-carrier
   0.003  call arrived: call demo-n1-1795265778.57, leg n1-1795265778.57, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 2e4c3663f3350fe4
   0.003  leg answered: leg n1-1795265778.57
   0.005  recording started: call demo-n1-1795265778.57, leg n1-1795265778.57, file 20261121/demo-n1-1795265778.57/n1-1795265778.57.wav
   0.006  greeting ended: call demo-n1-1795265778.57
   0.008  advice asked: call demo-n1-1795265778.57, status SUCCESS, next queue:general, by service
   0.009  queue joined: call demo-n1-1795265778.57, leg n1-1795265778.57, city demo, queue general, position 1, waiting 1
   0.009  leg started: leg n1-1795265778.58, channel PJSIP/demo-1001-00000032, call demo-n1-1795265778.57, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265778.57
   0.011  seat rang: call demo-n1-1795265778.57, city demo, queue general, seat 1001, leg n1-1795265778.58
   0.011  leg rang: leg n1-1795265778.58
   0.011  seat device: city demo, seat 1001, state ringing
   0.514  seat device: city demo, seat 1003, state not_inuse
   0.518  phone reachable: city demo, seat 1003, contact sip:demo-1003@127.0.0.1:43699
   0.518  phone reachable: city demo, seat 1003, contact sip:demo-1003@127.0.0.1:43699
   0.519  phone gone: city demo, seat 1003, contact sip:demo-1003@127.0.0.1:44823
   0.519  leg started: leg n1-1795265778.59, channel PJSIP/demo-1003-00000033, call None, endpoint demo-1003, caller 1003, called, context demo-seats, linked n1-1795265778.59
   0.520  leg rang: leg n1-1795265778.59
   0.521  seat device: city demo, seat 1003, state ringing
   0.721  leg answered: leg n1-1795265778.59
   0.722  seat device: city demo, seat 1003, state inuse
   0.722  leg belongs: leg n1-1795265778.59, call demo-n1-1795265778.57, endpoint demo-1003
   0.722  leg ended: leg n1-1795265778.58, cause 26
   0.723  seat device: city demo, seat 1001, state not_inuse
   0.724  queue left: call demo-n1-1795265778.57, leg n1-1795265778.57, city demo, queue general, waiting 0
   0.724  recording started: call demo-n1-1795265778.57, leg n1-1795265778.59, file 20261121/demo-n1-1795265778.57/n1-1795265778.59.wav
   0.726  seat answered: call demo-n1-1795265778.57, city demo, queue general, seat 1001, leg n1-1795265778.59, waited 0.0, rang 0.0
   0.726  leg joined: leg n1-1795265778.59, bridge df9fe186-30d4-48b5-9053-a97c80639808, kind basic
   0.726  leg joined: leg n1-1795265778.57, bridge df9fe186-30d4-48b5-9053-a97c80639808, kind basic
   3.021  seat finished: call demo-n1-1795265778.57, city demo, queue general, seat 1001, reason caller, waited 0.0, talked 3.0
   3.021  leg left: leg n1-1795265778.57, bridge df9fe186-30d4-48b5-9053-a97c80639808
   3.021  call left: call demo-n1-1795265778.57, by caller, cause 16
   3.022  leg left: leg n1-1795265778.59, bridge df9fe186-30d4-48b5-9053-a97c80639808
   3.023  leg ended: leg n1-1795265778.59, cause 16
   3.023  leg ended: leg n1-1795265778.57, cause 16
   3.023  seat device: city demo, seat 1003, state not_inuse
