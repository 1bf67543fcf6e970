# demo-n1-1795265530.12
   0.002  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.004  开始录音（来电人） | recording of the caller started
   0.006  问候语播完 | the greeting ended
   0.007  服务指示去向 queue:general | the service said: queue:general
   0.008  进入队列 general，第 1 位 | joined queue general at position 1
   0.010  座席 1001 振铃 | seat 1001 rings
   5.013  座席 1001 振铃 5 秒未接 | seat 1001 rang 5 s and did not answer
   6.015  座席 1001 振铃 | seat 1001 rings
  11.018  座席 1001 振铃 5 秒未接 | seat 1001 rang 5 s and did not answer
  12.020  离开队列 general：等待超时 | left queue general: the wait was over
  13.024  来电人留言 20261121/demo-n1-1795265530.12/message.wav，须回电 | the caller left message 20261121/demo-n1-1795265530.12/message.wav; a call back is owed
  13.024  来电人挂机，通话结束（原因 0） | the caller hung up; the call ended (cause 0)

# every fact
   0.000  leg started: leg n1-1795265530.12, channel PJSIP/demo-carrier-0000000c, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265530.12
   0.001  leg belongs: leg n1-1795265530.12, call demo-n1-1795265530.12, endpoint demo-carrier
   0.002  call arrived: call demo-n1-1795265530.12, leg n1-1795265530.12, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 185491d2b2f7fb77
   0.003  leg answered: leg n1-1795265530.12
   0.004  recording started: call demo-n1-1795265530.12, leg n1-1795265530.12, file 20261121/demo-n1-1795265530.12/n1-1795265530.12.wav
   0.006  greeting ended: call demo-n1-1795265530.12
   0.007  advice asked: call demo-n1-1795265530.12, status SUCCESS, next queue:general, by service
   0.008  queue joined: call demo-n1-1795265530.12, leg n1-1795265530.12, city demo, queue general, position 1, waiting 1
   0.009  leg started: leg n1-1795265530.13, channel PJSIP/demo-1001-0000000d, call demo-n1-1795265530.12, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265530.12
   0.010  seat rang: call demo-n1-1795265530.12, city demo, queue general, seat 1001, leg n1-1795265530.13
   0.011  leg rang: leg n1-1795265530.13
   0.011  seat device: city demo, seat 1001, state ringing
   5.013  seat declined: call demo-n1-1795265530.12, city demo, queue general, seat 1001, leg n1-1795265530.13, rang 5.0
   5.013  leg ended: leg n1-1795265530.13, cause 0
   5.013  seat device: city demo, seat 1001, state not_inuse
   6.014  leg started: leg n1-1795265536.14, channel PJSIP/demo-1001-0000000e, call demo-n1-1795265530.12, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265530.12
   6.015  seat rang: call demo-n1-1795265530.12, city demo, queue general, seat 1001, leg n1-1795265536.14
   6.016  leg rang: leg n1-1795265536.14
   6.016  seat device: city demo, seat 1001, state ringing
  11.018  seat declined: call demo-n1-1795265530.12, city demo, queue general, seat 1001, leg n1-1795265536.14, rang 5.0
  11.018  leg ended: leg n1-1795265536.14, cause 0
  11.018  seat device: city demo, seat 1001, state not_inuse
  12.019  queue left: call demo-n1-1795265530.12, leg n1-1795265530.12, city demo, queue general, waiting 0
  12.020  queue gave up: call demo-n1-1795265530.12, city demo, queue general, status TIMEOUT, key
  13.024  call back owed: call demo-n1-1795265530.12, caller 13800000001, line main, message 20261121/demo-n1-1795265530.12/message.wav
  13.024  call left: call demo-n1-1795265530.12, by caller, cause 0
  13.024  leg ended: leg n1-1795265530.12, cause 0
