# demo-n1-1795265518.6
   0.003  13800000001 拨入 12346，线路 service，中继 carrier | 13800000001 called 12346, line service, trunk carrier
   0.006  开始录音（来电人） | recording of the caller started
   0.006  问候语播完 | the greeting ended
   0.009  服务指示去向 queue:general | the service said: queue:general
   0.010  进入队列 general，第 1 位 | joined queue general at position 1
   0.011  座席 1001 振铃 | seat 1001 rings
   0.215  开始录音（座席 1001） | recording of seat 1001 started
   0.215  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   1.997  与座席 1001 通话 2 秒 | talked to seat 1001 for 2 s
   1.998  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265518.6, channel PJSIP/demo-carrier-00000006, call None, endpoint demo-carrier, caller 13800000001, called 12346, context demo-from-carrier, linked n1-1795265518.6
   0.002  leg belongs: leg n1-1795265518.6, call demo-n1-1795265518.6, endpoint demo-carrier
   0.003  call arrived: call demo-n1-1795265518.6, leg n1-1795265518.6, city demo, trunk carrier, line service, called 12346, original 12346, caller 13800000001, sip_call 465ffce222cd2bbe
   0.004  leg answered: leg n1-1795265518.6
   0.006  recording started: call demo-n1-1795265518.6, leg n1-1795265518.6, file 20261121/demo-n1-1795265518.6/n1-1795265518.6.wav
   0.006  greeting ended: call demo-n1-1795265518.6
   0.009  advice asked: call demo-n1-1795265518.6, status SUCCESS, next queue:general, by service
   0.010  queue joined: call demo-n1-1795265518.6, leg n1-1795265518.6, city demo, queue general, position 1, waiting 1
   0.010  leg started: leg n1-1795265518.7, channel PJSIP/demo-1001-00000007, call demo-n1-1795265518.6, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265518.6
   0.011  seat rang: call demo-n1-1795265518.6, city demo, queue general, seat 1001, leg n1-1795265518.7
   0.012  leg rang: leg n1-1795265518.7
   0.012  seat device: city demo, seat 1001, state ringing
   0.213  leg answered: leg n1-1795265518.7
   0.214  seat device: city demo, seat 1001, state inuse
   0.214  queue left: call demo-n1-1795265518.6, leg n1-1795265518.6, city demo, queue general, waiting 0
   0.215  recording started: call demo-n1-1795265518.6, leg n1-1795265518.7, file 20261121/demo-n1-1795265518.6/n1-1795265518.7.wav
   0.215  seat answered: call demo-n1-1795265518.6, city demo, queue general, seat 1001, leg n1-1795265518.7, waited 0.0, rang 0.0
   0.215  leg joined: leg n1-1795265518.7, bridge f60fa365-d9bc-4e48-b740-d0c527ab5023, kind basic
   0.215  leg joined: leg n1-1795265518.6, bridge f60fa365-d9bc-4e48-b740-d0c527ab5023, kind basic
   1.326  key pressed: leg n1-1795265518.6, key 2
   1.997  seat finished: call demo-n1-1795265518.6, city demo, queue general, seat 1001, reason caller, waited 0.0, talked 2.0
   1.997  leg left: leg n1-1795265518.6, bridge f60fa365-d9bc-4e48-b740-d0c527ab5023
   1.998  leg left: leg n1-1795265518.7, bridge f60fa365-d9bc-4e48-b740-d0c527ab5023
   1.998  leg ended: leg n1-1795265518.7, cause 16
   1.998  call left: call demo-n1-1795265518.6, by caller, cause 16
   2.000  seat device: city demo, seat 1001, state not_inuse
   2.000  leg ended: leg n1-1795265518.6, cause 16
