# demo-n1-1795265549.17
   0.001  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.003  开始录音（来电人） | recording of the caller started
   0.003  问候语播完 | the greeting ended
   0.006  服务指示去向 queue:general | the service said: queue:general
   0.006  进入队列 general，第 1 位 | joined queue general at position 1
   0.007  座席 1001 振铃 | seat 1001 rings
   0.210  开始录音（座席 1001） | recording of seat 1001 started
   0.211  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   0.513  座席 1001 恢复通话 | seat 1001 took the other back from hold
   0.514  座席 1001 直接转接到 demo-seats/1002 | seat 1001 transferred the call to demo-seats/1002
   0.514  与座席 1001 通话 0 秒，话务员转出 | talked to seat 1001 for 0 s; the agent transferred the call
   0.717  与座席 1002 接通 | connected to seat 1002
   2.025  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265549.17, channel PJSIP/demo-carrier-00000011, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265549.17
   0.001  leg belongs: leg n1-1795265549.17, call demo-n1-1795265549.17, endpoint demo-carrier
   0.001  call arrived: call demo-n1-1795265549.17, leg n1-1795265549.17, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 7af764327d86d776
   0.002  leg answered: leg n1-1795265549.17
   0.003  recording started: call demo-n1-1795265549.17, leg n1-1795265549.17, file 20261121/demo-n1-1795265549.17/n1-1795265549.17.wav
   0.003  greeting ended: call demo-n1-1795265549.17
   0.006  advice asked: call demo-n1-1795265549.17, status SUCCESS, next queue:general, by service
   0.006  queue joined: call demo-n1-1795265549.17, leg n1-1795265549.17, city demo, queue general, position 1, waiting 1
   0.006  leg started: leg n1-1795265549.18, channel PJSIP/demo-1001-00000012, call demo-n1-1795265549.17, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265549.17
   0.007  seat rang: call demo-n1-1795265549.17, city demo, queue general, seat 1001, leg n1-1795265549.18
   0.008  leg rang: leg n1-1795265549.18
   0.008  seat device: city demo, seat 1001, state ringing
   0.209  leg answered: leg n1-1795265549.18
   0.210  seat device: city demo, seat 1001, state inuse
   0.210  queue left: call demo-n1-1795265549.17, leg n1-1795265549.17, city demo, queue general, waiting 0
   0.210  recording started: call demo-n1-1795265549.17, leg n1-1795265549.18, file 20261121/demo-n1-1795265549.17/n1-1795265549.18.wav
   0.211  seat answered: call demo-n1-1795265549.17, city demo, queue general, seat 1001, leg n1-1795265549.18, waited 0.0, rang 0.0
   0.211  leg joined: leg n1-1795265549.18, bridge ebcf6d63-5046-4690-a915-9fba3d59125f, kind basic
   0.211  leg joined: leg n1-1795265549.17, bridge ebcf6d63-5046-4690-a915-9fba3d59125f, kind basic
   0.513  leg unheld: leg n1-1795265549.18
   0.514  leg left: leg n1-1795265549.17, bridge ebcf6d63-5046-4690-a915-9fba3d59125f
   0.514  blind transferred: by n1-1795265549.18, leg n1-1795265549.17, to demo-seats/1002, ok True
   0.514  seat finished: call demo-n1-1795265549.17, city demo, queue general, seat 1001, reason transfer, waited 0.0, talked 0.0
   0.514  leg left: leg n1-1795265549.18, bridge ebcf6d63-5046-4690-a915-9fba3d59125f
   0.514  leg ended: leg n1-1795265549.18, cause 16
   0.514  seat device: city demo, seat 1001, state not_inuse
   0.514  leg started: leg n1-1795265549.19, channel PJSIP/demo-1002-00000013, call demo-n1-1795265549.17, endpoint demo-1002, caller 1002, called, context demo-seats, linked n1-1795265549.17
   0.516  leg rang: leg n1-1795265549.19
   0.516  seat device: city demo, seat 1002, state ringing
   0.717  leg answered: leg n1-1795265549.19
   0.717  leg joined: leg n1-1795265549.19, bridge ce579c30-2087-4027-88cd-2279aeb33ce0, kind basic
   0.717  seat device: city demo, seat 1002, state inuse
   0.718  leg joined: leg n1-1795265549.17, bridge ce579c30-2087-4027-88cd-2279aeb33ce0, kind basic
   2.025  leg left: leg n1-1795265549.17, bridge ce579c30-2087-4027-88cd-2279aeb33ce0
   2.025  leg left: leg n1-1795265549.19, bridge ce579c30-2087-4027-88cd-2279aeb33ce0
   2.025  call left: call demo-n1-1795265549.17, by caller, cause 16
   2.025  leg ended: leg n1-1795265549.19, cause 16
   2.025  seat device: city demo, seat 1002, state not_inuse
   2.025  leg ended: leg n1-1795265549.17, cause 16
