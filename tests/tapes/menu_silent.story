# demo-n1-1795265522.8
   0.001  13800000001 拨入 12346，线路 service，中继 carrier | 13800000001 called 12346, line service, trunk carrier
   0.003  开始录音（来电人） | recording of the caller started
   0.003  问候语播完 | the greeting ended
   0.006  服务指示去向 queue:general | the service said: queue:general
   0.007  进入队列 general，第 1 位 | joined queue general at position 1
   0.009  座席 1001 振铃 | seat 1001 rings
   0.215  开始录音（座席 1001） | recording of seat 1001 started
   0.215  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   0.717  与座席 1001 通话 1 秒 | talked to seat 1001 for 1 s
   0.717  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265522.8, channel PJSIP/demo-carrier-00000008, call None, endpoint demo-carrier, caller 13800000001, called 12346, context demo-from-carrier, linked n1-1795265522.8
   0.001  leg belongs: leg n1-1795265522.8, call demo-n1-1795265522.8, endpoint demo-carrier
   0.001  call arrived: call demo-n1-1795265522.8, leg n1-1795265522.8, city demo, trunk carrier, line service, called 12346, original 12346, caller 13800000001, sip_call f86256633670cf07
   0.001  leg answered: leg n1-1795265522.8
   0.003  recording started: call demo-n1-1795265522.8, leg n1-1795265522.8, file 20261121/demo-n1-1795265522.8/n1-1795265522.8.wav
   0.003  greeting ended: call demo-n1-1795265522.8
   0.006  advice asked: call demo-n1-1795265522.8, status SUCCESS, next queue:general, by service
   0.007  queue joined: call demo-n1-1795265522.8, leg n1-1795265522.8, city demo, queue general, position 1, waiting 1
   0.007  leg started: leg n1-1795265522.9, channel PJSIP/demo-1001-00000009, call demo-n1-1795265522.8, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265522.8
   0.009  seat rang: call demo-n1-1795265522.8, city demo, queue general, seat 1001, leg n1-1795265522.9
   0.009  leg rang: leg n1-1795265522.9
   0.009  seat device: city demo, seat 1001, state ringing
   0.214  leg answered: leg n1-1795265522.9
   0.214  seat device: city demo, seat 1001, state inuse
   0.214  queue left: call demo-n1-1795265522.8, leg n1-1795265522.8, city demo, queue general, waiting 0
   0.215  recording started: call demo-n1-1795265522.8, leg n1-1795265522.9, file 20261121/demo-n1-1795265522.8/n1-1795265522.9.wav
   0.215  seat answered: call demo-n1-1795265522.8, city demo, queue general, seat 1001, leg n1-1795265522.9, waited 0.0, rang 0.0
   0.215  leg joined: leg n1-1795265522.9, bridge 08473df5-67d6-4d83-ba84-b95c08ce37b1, kind basic
   0.215  leg joined: leg n1-1795265522.8, bridge 08473df5-67d6-4d83-ba84-b95c08ce37b1, kind basic
   0.717  seat finished: call demo-n1-1795265522.8, city demo, queue general, seat 1001, reason caller, waited 0.0, talked 1.0
   0.717  leg left: leg n1-1795265522.8, bridge 08473df5-67d6-4d83-ba84-b95c08ce37b1
   0.717  call left: call demo-n1-1795265522.8, by caller, cause 16
   0.718  leg left: leg n1-1795265522.9, bridge 08473df5-67d6-4d83-ba84-b95c08ce37b1
   0.718  leg ended: leg n1-1795265522.8, cause 16
   0.718  leg ended: leg n1-1795265522.9, cause 16
   0.719  seat device: city demo, seat 1001, state not_inuse
