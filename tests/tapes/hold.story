# demo-n1-1795265545.15
   0.002  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.004  开始录音（来电人） | recording of the caller started
   0.004  问候语播完 | the greeting ended
   0.007  服务指示去向 queue:general | the service said: queue:general
   0.009  进入队列 general，第 1 位 | joined queue general at position 1
   0.010  座席 1001 振铃 | seat 1001 rings
   0.212  开始录音（座席 1001） | recording of seat 1001 started
   0.212  座席 1001 接听（等待 1 秒，振铃 0 秒） | seat 1001 answered (waited 1 s, rang 0 s)
   0.514  座席 1001 保持通话 | seat 1001 put the other on hold
   1.017  座席 1001 恢复通话 | seat 1001 took the other back from hold
   1.020  与座席 1001 通话 0 秒 | talked to seat 1001 for 0 s
   1.021  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265545.15, channel PJSIP/demo-carrier-0000000f, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265545.15
   0.000  leg belongs: leg n1-1795265545.15, call demo-n1-1795265545.15, endpoint demo-carrier
   0.002  call arrived: call demo-n1-1795265545.15, leg n1-1795265545.15, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 93456cd3a7819e0e
   0.003  leg answered: leg n1-1795265545.15
   0.004  recording started: call demo-n1-1795265545.15, leg n1-1795265545.15, file 20261121/demo-n1-1795265545.15/n1-1795265545.15.wav
   0.004  greeting ended: call demo-n1-1795265545.15
   0.007  advice asked: call demo-n1-1795265545.15, status SUCCESS, next queue:general, by service
   0.009  queue joined: call demo-n1-1795265545.15, leg n1-1795265545.15, city demo, queue general, position 1, waiting 1
   0.009  leg started: leg n1-1795265545.16, channel PJSIP/demo-1001-00000010, call demo-n1-1795265545.15, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265545.15
   0.010  seat rang: call demo-n1-1795265545.15, city demo, queue general, seat 1001, leg n1-1795265545.16
   0.010  leg rang: leg n1-1795265545.16
   0.010  seat device: city demo, seat 1001, state ringing
   0.210  leg answered: leg n1-1795265545.16
   0.211  seat device: city demo, seat 1001, state inuse
   0.211  queue left: call demo-n1-1795265545.15, leg n1-1795265545.15, city demo, queue general, waiting 0
   0.212  recording started: call demo-n1-1795265545.15, leg n1-1795265545.16, file 20261121/demo-n1-1795265545.15/n1-1795265545.16.wav
   0.212  seat answered: call demo-n1-1795265545.15, city demo, queue general, seat 1001, leg n1-1795265545.16, waited 1.0, rang 0.0
   0.212  leg joined: leg n1-1795265545.16, bridge da6a0fd6-e9bb-4961-a390-76efd90f5e9f, kind basic
   0.213  leg joined: leg n1-1795265545.15, bridge da6a0fd6-e9bb-4961-a390-76efd90f5e9f, kind basic
   0.514  leg held: leg n1-1795265545.16
   1.017  leg unheld: leg n1-1795265545.16
   1.020  seat finished: call demo-n1-1795265545.15, city demo, queue general, seat 1001, reason caller, waited 1.0, talked 0.0
   1.020  leg left: leg n1-1795265545.15, bridge da6a0fd6-e9bb-4961-a390-76efd90f5e9f
   1.020  leg left: leg n1-1795265545.16, bridge da6a0fd6-e9bb-4961-a390-76efd90f5e9f
   1.021  call left: call demo-n1-1795265545.15, by caller, cause 16
   1.023  leg ended: leg n1-1795265545.16, cause 16
   1.023  leg ended: leg n1-1795265545.15, cause 16
   1.023  seat device: city demo, seat 1001, state not_inuse
