# demo-n1-1795265610.36
   0.003  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.005  开始录音（来电人） | recording of the caller started
   0.005  问候语播完 | the greeting ended
   0.007  服务指示去向 queue:general | the service said: queue:general
   0.007  进入队列 general，第 1 位 | joined queue general at position 1
   0.009  座席 1001 振铃 | seat 1001 rings
   0.212  开始录音（座席 1001） | recording of seat 1001 started
   0.213  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   0.516  座席 1001 进入会议 c1 | seat 1001 entered conference c1
   0.516  来电人 进入会议 c1 | the caller entered conference c1
   0.720  与座席 1002 接通 | connected to seat 1002
   0.720  座席 1002 进入会议 c1 | seat 1002 entered conference c1
   1.421  与座席 1001 通话 2 秒 | talked to seat 1001 for 2 s
   1.422  座席 1001 离开会议 c1 | seat 1001 left conference c1
   1.922  来电人 离开会议 c1 | the caller left conference c1
   1.923  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)
   2.223  座席 1002 离开会议 c1 | seat 1002 left conference c1

# every fact
   0.000  leg started: leg n1-1795265610.36, channel PJSIP/demo-carrier-00000024, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265610.36
   0.003  leg belongs: leg n1-1795265610.36, call demo-n1-1795265610.36, endpoint demo-carrier
   0.003  call arrived: call demo-n1-1795265610.36, leg n1-1795265610.36, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 27725ef239c0a4bd
   0.003  leg answered: leg n1-1795265610.36
   0.005  recording started: call demo-n1-1795265610.36, leg n1-1795265610.36, file 20261121/demo-n1-1795265610.36/n1-1795265610.36.wav
   0.005  greeting ended: call demo-n1-1795265610.36
   0.007  advice asked: call demo-n1-1795265610.36, status SUCCESS, next queue:general, by service
   0.007  queue joined: call demo-n1-1795265610.36, leg n1-1795265610.36, city demo, queue general, position 1, waiting 1
   0.007  leg started: leg n1-1795265610.37, channel PJSIP/demo-1001-00000025, call demo-n1-1795265610.36, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265610.36
   0.009  seat rang: call demo-n1-1795265610.36, city demo, queue general, seat 1001, leg n1-1795265610.37
   0.009  leg rang: leg n1-1795265610.37
   0.009  seat device: city demo, seat 1001, state ringing
   0.211  leg answered: leg n1-1795265610.37
   0.212  queue left: call demo-n1-1795265610.36, leg n1-1795265610.36, city demo, queue general, waiting 0
   0.212  recording started: call demo-n1-1795265610.36, leg n1-1795265610.37, file 20261121/demo-n1-1795265610.36/n1-1795265610.37.wav
   0.212  seat device: city demo, seat 1001, state inuse
   0.213  seat answered: call demo-n1-1795265610.36, city demo, queue general, seat 1001, leg n1-1795265610.37, waited 0.0, rang 0.0
   0.213  leg joined: leg n1-1795265610.37, bridge 4c1a3440-4981-4c7d-ae52-dfab20ffc3cf, kind basic
   0.213  leg joined: leg n1-1795265610.36, bridge 4c1a3440-4981-4c7d-ae52-dfab20ffc3cf, kind basic
   0.516  leg left: leg n1-1795265610.36, bridge 4c1a3440-4981-4c7d-ae52-dfab20ffc3cf
   0.516  leg left: leg n1-1795265610.37, bridge 4c1a3440-4981-4c7d-ae52-dfab20ffc3cf
   0.516  conference joined: leg n1-1795265610.37, room c1, marked False
   0.516  conference joined: leg n1-1795265610.36, room c1, marked False
   0.516  leg joined: leg n1-1795265610.37, bridge ab8ad0d5-70f4-4286-a9ae-12217d09685b, kind conference
   0.516  leg joined: leg n1-1795265610.36, bridge ab8ad0d5-70f4-4286-a9ae-12217d09685b, kind conference
   0.517  leg started: leg n1-1795265611.40, channel PJSIP/demo-1002-00000026, call None, endpoint demo-1002, caller 1002, called, context demo-seats, linked n1-1795265611.40
   0.517  leg belongs: leg n1-1795265611.40, call demo-n1-1795265610.36, endpoint demo-1002
   0.518  leg rang: leg n1-1795265611.40
   0.518  seat device: city demo, seat 1002, state ringing
   0.719  leg answered: leg n1-1795265611.40
   0.720  seat device: city demo, seat 1002, state inuse
   0.720  leg joined: leg n1-1795265611.40, bridge ab8ad0d5-70f4-4286-a9ae-12217d09685b, kind conference
   0.720  conference joined: leg n1-1795265611.40, room c1, marked False
   1.421  seat finished: call demo-n1-1795265610.36, city demo, queue general, seat 1001, reason agent, waited 0.0, talked 2.0
   1.421  leg left: leg n1-1795265610.37, bridge ab8ad0d5-70f4-4286-a9ae-12217d09685b
   1.422  conference left: leg n1-1795265610.37, room c1
   1.422  leg ended: leg n1-1795265610.37, cause 16
   1.422  seat device: city demo, seat 1001, state not_inuse
   1.922  conference left: leg n1-1795265610.36, room c1
   1.923  leg left: leg n1-1795265610.36, bridge ab8ad0d5-70f4-4286-a9ae-12217d09685b
   1.923  call left: call demo-n1-1795265610.36, by caller, cause 16
   1.923  leg ended: leg n1-1795265610.36, cause 16
   2.223  leg left: leg n1-1795265611.40, bridge ab8ad0d5-70f4-4286-a9ae-12217d09685b
   2.223  conference left: leg n1-1795265611.40, room c1
   2.225  leg ended: leg n1-1795265611.40, cause 16
   2.225  seat device: city demo, seat 1002, state not_inuse
