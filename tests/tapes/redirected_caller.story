# demo-n1-1795265568.29
   0.001  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.002  开始录音（来电人） | recording of the caller started
   0.003  问候语播完 | the greeting ended
   0.005  服务指示去向 queue:general | the service said: queue:general
   0.006  进入队列 general，第 1 位 | joined queue general at position 1
   0.007  座席 1001 振铃 | seat 1001 rings
   0.210  开始录音（座席 1001） | recording of seat 1001 started
   0.212  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   0.727  与座席 1002 接通 | connected to seat 1002
   2.019  与座席 1001 通话 2 秒 | talked to seat 1001 for 2 s
   2.020  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265568.29, channel PJSIP/demo-carrier-0000001d, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265568.29
   0.001  leg belongs: leg n1-1795265568.29, call demo-n1-1795265568.29, endpoint demo-carrier
   0.001  call arrived: call demo-n1-1795265568.29, leg n1-1795265568.29, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 1aa2b8446944e91d
   0.001  leg answered: leg n1-1795265568.29
   0.002  recording started: call demo-n1-1795265568.29, leg n1-1795265568.29, file 20261121/demo-n1-1795265568.29/n1-1795265568.29.wav
   0.003  greeting ended: call demo-n1-1795265568.29
   0.005  advice asked: call demo-n1-1795265568.29, status SUCCESS, next queue:general, by service
   0.006  queue joined: call demo-n1-1795265568.29, leg n1-1795265568.29, city demo, queue general, position 1, waiting 1
   0.006  leg started: leg n1-1795265568.30, channel PJSIP/demo-1001-0000001e, call demo-n1-1795265568.29, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265568.29
   0.007  seat rang: call demo-n1-1795265568.29, city demo, queue general, seat 1001, leg n1-1795265568.30
   0.007  leg rang: leg n1-1795265568.30
   0.008  seat device: city demo, seat 1001, state ringing
   0.209  leg answered: leg n1-1795265568.30
   0.209  seat device: city demo, seat 1001, state inuse
   0.210  queue left: call demo-n1-1795265568.29, leg n1-1795265568.29, city demo, queue general, waiting 0
   0.210  recording started: call demo-n1-1795265568.29, leg n1-1795265568.30, file 20261121/demo-n1-1795265568.29/n1-1795265568.30.wav
   0.212  seat answered: call demo-n1-1795265568.29, city demo, queue general, seat 1001, leg n1-1795265568.30, waited 0.0, rang 0.0
   0.214  leg joined: leg n1-1795265568.30, bridge 47efd34a-cc5e-43d4-a62d-d5ecb0a1ad3a, kind basic
   0.214  leg joined: leg n1-1795265568.29, bridge 47efd34a-cc5e-43d4-a62d-d5ecb0a1ad3a, kind basic
   0.517  leg left: leg n1-1795265568.29, bridge 47efd34a-cc5e-43d4-a62d-d5ecb0a1ad3a
   0.517  leg left: leg n1-1795265568.30, bridge 47efd34a-cc5e-43d4-a62d-d5ecb0a1ad3a
   0.518  leg ended: leg n1-1795265568.30, cause 16
   0.518  seat device: city demo, seat 1001, state not_inuse
   0.518  leg started: leg n1-1795265568.31, channel PJSIP/demo-1002-0000001f, call demo-n1-1795265568.29, endpoint demo-1002, caller 1002, called, context demo-seats, linked n1-1795265568.29
   0.524  leg rang: leg n1-1795265568.31
   0.524  seat device: city demo, seat 1002, state ringing
   0.726  leg answered: leg n1-1795265568.31
   0.727  seat device: city demo, seat 1002, state inuse
   0.727  leg joined: leg n1-1795265568.31, bridge a28dfdd2-6a49-4655-94ea-0bdd0033da17, kind basic
   0.728  leg joined: leg n1-1795265568.29, bridge a28dfdd2-6a49-4655-94ea-0bdd0033da17, kind basic
   2.019  seat finished: call demo-n1-1795265568.29, city demo, queue general, seat 1001, reason caller, waited 0.0, talked 2.0
   2.019  leg left: leg n1-1795265568.29, bridge a28dfdd2-6a49-4655-94ea-0bdd0033da17
   2.019  leg left: leg n1-1795265568.31, bridge a28dfdd2-6a49-4655-94ea-0bdd0033da17
   2.020  leg ended: leg n1-1795265568.31, cause 16
   2.020  call left: call demo-n1-1795265568.29, by caller, cause 16
   2.021  seat device: city demo, seat 1002, state not_inuse
   2.021  leg ended: leg n1-1795265568.29, cause 16
