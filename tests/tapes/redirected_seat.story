# demo-n1-1795265562.27
   0.003  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.005  开始录音（来电人） | recording of the caller started
   0.005  问候语播完 | the greeting ended
   0.008  服务指示去向 queue:general | the service said: queue:general
   0.008  进入队列 general，第 1 位 | joined queue general at position 1
   0.010  座席 1001 振铃 | seat 1001 rings
   0.213  开始录音（座席 1001） | recording of seat 1001 started
   0.214  座席 1001 接听（等待 1 秒，振铃 0 秒） | seat 1001 answered (waited 1 s, rang 0 s)
   0.516  话务员挂机，通话结束（原因 16） | the agent hung up; the call ended (cause 16)
   0.517  与座席 1001 通话 0 秒 | talked to seat 1001 for 0 s

# every fact
   0.000  leg started: leg n1-1795265562.27, channel PJSIP/demo-carrier-0000001b, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265562.27
   0.002  leg belongs: leg n1-1795265562.27, call demo-n1-1795265562.27, endpoint demo-carrier
   0.003  call arrived: call demo-n1-1795265562.27, leg n1-1795265562.27, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 4d1312d403e850a4
   0.004  leg answered: leg n1-1795265562.27
   0.005  recording started: call demo-n1-1795265562.27, leg n1-1795265562.27, file 20261121/demo-n1-1795265562.27/n1-1795265562.27.wav
   0.005  greeting ended: call demo-n1-1795265562.27
   0.008  advice asked: call demo-n1-1795265562.27, status SUCCESS, next queue:general, by service
   0.008  queue joined: call demo-n1-1795265562.27, leg n1-1795265562.27, city demo, queue general, position 1, waiting 1
   0.008  leg started: leg n1-1795265562.28, channel PJSIP/demo-1001-0000001c, call demo-n1-1795265562.27, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265562.27
   0.010  seat rang: call demo-n1-1795265562.27, city demo, queue general, seat 1001, leg n1-1795265562.28
   0.010  leg rang: leg n1-1795265562.28
   0.010  seat device: city demo, seat 1001, state ringing
   0.212  leg answered: leg n1-1795265562.28
   0.212  queue left: call demo-n1-1795265562.27, leg n1-1795265562.27, city demo, queue general, waiting 0
   0.212  seat device: city demo, seat 1001, state inuse
   0.213  recording started: call demo-n1-1795265562.27, leg n1-1795265562.28, file 20261121/demo-n1-1795265562.27/n1-1795265562.28.wav
   0.214  seat answered: call demo-n1-1795265562.27, city demo, queue general, seat 1001, leg n1-1795265562.28, waited 1.0, rang 0.0
   0.214  leg joined: leg n1-1795265562.28, bridge d3b472e8-3503-4335-a8ec-eaa2db5f019f, kind basic
   0.215  leg joined: leg n1-1795265562.27, bridge d3b472e8-3503-4335-a8ec-eaa2db5f019f, kind basic
   0.516  leg left: leg n1-1795265562.28, bridge d3b472e8-3503-4335-a8ec-eaa2db5f019f
   0.516  leg left: leg n1-1795265562.27, bridge d3b472e8-3503-4335-a8ec-eaa2db5f019f
   0.516  queue gave up: call demo-n1-1795265562.27, city demo, queue general, status CONTINUE, key
   0.516  call left: call demo-n1-1795265562.27, by agent, cause 16
   0.517  seat finished: call demo-n1-1795265562.27, city demo, queue general, seat 1001, reason caller, waited 1.0, talked 0.0
   0.518  leg ended: leg n1-1795265562.27, cause 16
   2.518  leg ended: leg n1-1795265562.28, cause 16
   2.518  seat device: city demo, seat 1001, state not_inuse
