# demo-n1-1795265770.52
   0.002  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.003  开始录音（来电人） | recording of the caller started
   0.004  问候语播完 | the greeting ended
   0.006  服务指示去向 queue:general | the service said: queue:general
   0.007  进入队列 general，第 1 位 | joined queue general at position 1
   0.009  座席 1001 振铃 | seat 1001 rings
   0.211  开始录音（座席 1001） | recording of seat 1001 started
   0.212  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   0.758  座席 1001 保持通话 | seat 1001 put the other on hold
   2.766  座席 1001 恢复通话 | seat 1001 took the other back from hold
   4.516  与座席 1001 通话 5 秒 | talked to seat 1001 for 5 s
   4.518  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265770.52, channel PJSIP/demo-carrier-0000002e, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265770.52
   0.001  leg belongs: leg n1-1795265770.52, call demo-n1-1795265770.52, endpoint demo-carrier
   0.002  call arrived: call demo-n1-1795265770.52, leg n1-1795265770.52, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call ddd2054e87ff95f9
   0.002  leg answered: leg n1-1795265770.52
   0.003  recording started: call demo-n1-1795265770.52, leg n1-1795265770.52, file 20261121/demo-n1-1795265770.52/n1-1795265770.52.wav
   0.004  greeting ended: call demo-n1-1795265770.52
   0.006  advice asked: call demo-n1-1795265770.52, status SUCCESS, next queue:general, by service
   0.007  queue joined: call demo-n1-1795265770.52, leg n1-1795265770.52, city demo, queue general, position 1, waiting 1
   0.007  leg started: leg n1-1795265770.53, channel PJSIP/demo-1001-0000002f, call demo-n1-1795265770.52, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265770.52
   0.009  seat rang: call demo-n1-1795265770.52, city demo, queue general, seat 1001, leg n1-1795265770.53
   0.009  leg rang: leg n1-1795265770.53
   0.009  seat device: city demo, seat 1001, state ringing
   0.210  leg answered: leg n1-1795265770.53
   0.211  queue left: call demo-n1-1795265770.52, leg n1-1795265770.52, city demo, queue general, waiting 0
   0.211  seat device: city demo, seat 1001, state inuse
   0.211  recording started: call demo-n1-1795265770.52, leg n1-1795265770.53, file 20261121/demo-n1-1795265770.52/n1-1795265770.53.wav
   0.212  seat answered: call demo-n1-1795265770.52, city demo, queue general, seat 1001, leg n1-1795265770.53, waited 0.0, rang 0.0
   0.213  leg joined: leg n1-1795265770.53, bridge 68238127-82fe-4755-ba3c-c3e7d8fa240a, kind basic
   0.213  leg joined: leg n1-1795265770.52, bridge 68238127-82fe-4755-ba3c-c3e7d8fa240a, kind basic
   0.513  key pressed: leg n1-1795265770.53, key *
   0.658  key pressed: leg n1-1795265770.53, key 2
   0.758  leg held: leg n1-1795265770.53
   0.803  key pressed: leg n1-1795265770.53, key 1
   0.848  key pressed: leg n1-1795265770.53, key 0
   0.894  key pressed: leg n1-1795265770.53, key 0
   0.939  key pressed: leg n1-1795265770.53, key 2
   0.940  leg started: leg n1-1795265771.54, channel Local/1002@demo-tape-00000003;1, call demo-n1-1795265770.52, endpoint, caller, called 1002, context demo-tape, linked n1-1795265770.52
   0.940  leg started: leg n1-1795265771.55, channel Local/1002@demo-tape-00000003;2, call demo-n1-1795265770.52, endpoint, caller, called 1002, context demo-tape, linked n1-1795265770.52
   0.942  leg started: leg n1-1795265771.56, channel PJSIP/demo-1002-00000030, call demo-n1-1795265770.52, endpoint demo-1002, caller 1002, called, context demo-seats, linked n1-1795265770.52
   0.942  leg joined: leg n1-1795265771.54, bridge 0a044c05-002a-496a-9fa0-6a699fc5016e, kind basic
   0.943  leg left: leg n1-1795265770.53, bridge 68238127-82fe-4755-ba3c-c3e7d8fa240a
   0.943  leg joined: leg n1-1795265770.53, bridge 0a044c05-002a-496a-9fa0-6a699fc5016e, kind basic
   0.944  leg rang: leg n1-1795265771.56
   0.944  seat device: city demo, seat 1002, state ringing
   0.945  leg rang: leg n1-1795265771.54
   2.514  key pressed: leg n1-1795265770.53, key *
   2.659  key pressed: leg n1-1795265770.53, key 1
   2.765  leg left: leg n1-1795265770.53, bridge 0a044c05-002a-496a-9fa0-6a699fc5016e
   2.766  leg joined: leg n1-1795265770.53, bridge 68238127-82fe-4755-ba3c-c3e7d8fa240a, kind basic
   2.766  leg unheld: leg n1-1795265770.53
   2.766  leg left: leg n1-1795265771.54, bridge 0a044c05-002a-496a-9fa0-6a699fc5016e
   2.766  leg ended: leg n1-1795265771.54, cause 16
   2.768  leg ended: leg n1-1795265771.55, cause 16
   2.768  leg ended: leg n1-1795265771.56, cause 16
   2.768  seat device: city demo, seat 1002, state not_inuse
   4.516  seat finished: call demo-n1-1795265770.52, city demo, queue general, seat 1001, reason caller, waited 0.0, talked 5.0
   4.518  leg left: leg n1-1795265770.52, bridge 68238127-82fe-4755-ba3c-c3e7d8fa240a
   4.518  call left: call demo-n1-1795265770.52, by caller, cause 16
   4.519  leg left: leg n1-1795265770.53, bridge 68238127-82fe-4755-ba3c-c3e7d8fa240a
   4.519  leg ended: leg n1-1795265770.52, cause 16
   4.520  leg ended: leg n1-1795265770.53, cause 16
   4.520  seat device: city demo, seat 1001, state not_inuse
