# demo-n1-1795265510.2
   0.002  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.007  开始录音（来电人） | recording of the caller started
   0.008  问候语播完 | the greeting ended
   0.012  服务指示去向 queue:general | the service said: queue:general
   0.013  进入队列 general，第 1 位 | joined queue general at position 1
   0.017  座席 1001 振铃 | seat 1001 rings
   0.221  开始录音（座席 1001） | recording of seat 1001 started
   0.222  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   1.224  与座席 1001 通话 1 秒 | talked to seat 1001 for 1 s
   1.226  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265510.2, channel PJSIP/demo-carrier-00000002, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265510.2
   0.001  leg belongs: leg n1-1795265510.2, call demo-n1-1795265510.2, endpoint demo-carrier
   0.002  call arrived: call demo-n1-1795265510.2, leg n1-1795265510.2, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call a012567b52d4853a
   0.004  leg answered: leg n1-1795265510.2
   0.007  recording started: call demo-n1-1795265510.2, leg n1-1795265510.2, file 20261121/demo-n1-1795265510.2/n1-1795265510.2.wav
   0.008  greeting ended: call demo-n1-1795265510.2
   0.012  advice asked: call demo-n1-1795265510.2, status SUCCESS, next queue:general, by service
   0.013  queue joined: call demo-n1-1795265510.2, leg n1-1795265510.2, city demo, queue general, position 1, waiting 1
   0.015  leg started: leg n1-1795265510.3, channel PJSIP/demo-1001-00000003, call demo-n1-1795265510.2, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265510.2
   0.017  seat rang: call demo-n1-1795265510.2, city demo, queue general, seat 1001, leg n1-1795265510.3
   0.018  leg rang: leg n1-1795265510.3
   0.018  seat device: city demo, seat 1001, state ringing
   0.220  leg answered: leg n1-1795265510.3
   0.221  seat device: city demo, seat 1001, state inuse
   0.221  queue left: call demo-n1-1795265510.2, leg n1-1795265510.2, city demo, queue general, waiting 0
   0.221  recording started: call demo-n1-1795265510.2, leg n1-1795265510.3, file 20261121/demo-n1-1795265510.2/n1-1795265510.3.wav
   0.222  seat answered: call demo-n1-1795265510.2, city demo, queue general, seat 1001, leg n1-1795265510.3, waited 0.0, rang 0.0
   0.222  leg joined: leg n1-1795265510.3, bridge 796dbb59-d5bf-4e71-909b-33fcbe66976d, kind basic
   0.222  leg joined: leg n1-1795265510.2, bridge 796dbb59-d5bf-4e71-909b-33fcbe66976d, kind basic
   1.224  seat finished: call demo-n1-1795265510.2, city demo, queue general, seat 1001, reason caller, waited 0.0, talked 1.0
   1.225  leg left: leg n1-1795265510.2, bridge 796dbb59-d5bf-4e71-909b-33fcbe66976d
   1.226  call left: call demo-n1-1795265510.2, by caller, cause 16
   1.226  leg left: leg n1-1795265510.3, bridge 796dbb59-d5bf-4e71-909b-33fcbe66976d
   1.227  leg ended: leg n1-1795265510.3, cause 16
   1.227  seat device: city demo, seat 1001, state not_inuse
   1.227  leg ended: leg n1-1795265510.2, cause 16
