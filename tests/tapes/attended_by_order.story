# demo-n1-1795265763.47
   0.002  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.006  开始录音（来电人） | recording of the caller started
   0.006  问候语播完 | the greeting ended
   0.010  服务指示去向 queue:general | the service said: queue:general
   0.010  进入队列 general，第 1 位 | joined queue general at position 1
   0.011  座席 1001 振铃 | seat 1001 rings
   0.214  开始录音（座席 1001） | recording of seat 1001 started
   0.216  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   0.762  座席 1001 保持通话 | seat 1001 put the other on hold
   1.149  与座席 1002 接通 | connected to seat 1002
   3.019  咨询后转接 | transferred after a consultation
   3.019  与座席 1001 通话 3 秒，话务员转出 | talked to seat 1001 for 3 s; the agent transferred the call
   4.024  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265763.47, channel PJSIP/demo-carrier-0000002b, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265763.47
   0.001  leg belongs: leg n1-1795265763.47, call demo-n1-1795265763.47, endpoint demo-carrier
   0.002  call arrived: call demo-n1-1795265763.47, leg n1-1795265763.47, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call 138bf3400354538e
   0.003  leg answered: leg n1-1795265763.47
   0.006  recording started: call demo-n1-1795265763.47, leg n1-1795265763.47, file 20261121/demo-n1-1795265763.47/n1-1795265763.47.wav
   0.006  greeting ended: call demo-n1-1795265763.47
   0.010  advice asked: call demo-n1-1795265763.47, status SUCCESS, next queue:general, by service
   0.010  queue joined: call demo-n1-1795265763.47, leg n1-1795265763.47, city demo, queue general, position 1, waiting 1
   0.010  leg started: leg n1-1795265763.48, channel PJSIP/demo-1001-0000002c, call demo-n1-1795265763.47, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265763.47
   0.011  seat rang: call demo-n1-1795265763.47, city demo, queue general, seat 1001, leg n1-1795265763.48
   0.011  leg rang: leg n1-1795265763.48
   0.011  seat device: city demo, seat 1001, state ringing
   0.213  leg answered: leg n1-1795265763.48
   0.213  seat device: city demo, seat 1001, state inuse
   0.213  queue left: call demo-n1-1795265763.47, leg n1-1795265763.47, city demo, queue general, waiting 0
   0.214  recording started: call demo-n1-1795265763.47, leg n1-1795265763.48, file 20261121/demo-n1-1795265763.47/n1-1795265763.48.wav
   0.216  seat answered: call demo-n1-1795265763.47, city demo, queue general, seat 1001, leg n1-1795265763.48, waited 0.0, rang 0.0
   0.217  leg joined: leg n1-1795265763.48, bridge 201bf82c-f5af-4630-80de-139575fdde56, kind basic
   0.217  leg joined: leg n1-1795265763.47, bridge 201bf82c-f5af-4630-80de-139575fdde56, kind basic
   0.517  key pressed: leg n1-1795265763.48, key *
   0.662  key pressed: leg n1-1795265763.48, key 2
   0.762  leg held: leg n1-1795265763.48
   0.807  key pressed: leg n1-1795265763.48, key 1
   0.853  key pressed: leg n1-1795265763.48, key 0
   0.898  key pressed: leg n1-1795265763.48, key 0
   0.943  key pressed: leg n1-1795265763.48, key 2
   0.944  leg started: leg n1-1795265764.49, channel Local/1002@demo-tape-00000002;1, call demo-n1-1795265763.47, endpoint, caller, called 1002, context demo-tape, linked n1-1795265763.47
   0.944  leg started: leg n1-1795265764.50, channel Local/1002@demo-tape-00000002;2, call demo-n1-1795265763.47, endpoint, caller, called 1002, context demo-tape, linked n1-1795265763.47
   0.946  leg started: leg n1-1795265764.51, channel PJSIP/demo-1002-0000002d, call demo-n1-1795265763.47, endpoint demo-1002, caller 1002, called, context demo-seats, linked n1-1795265763.47
   0.948  leg joined: leg n1-1795265764.49, bridge 022a4984-2a17-4654-a16b-a38367d84e29, kind basic
   0.948  leg left: leg n1-1795265763.48, bridge 201bf82c-f5af-4630-80de-139575fdde56
   0.948  leg joined: leg n1-1795265763.48, bridge 022a4984-2a17-4654-a16b-a38367d84e29, kind basic
   0.948  leg rang: leg n1-1795265764.51
   0.949  leg rang: leg n1-1795265764.49
   0.949  seat device: city demo, seat 1002, state ringing
   1.148  leg answered: leg n1-1795265764.51
   1.149  seat device: city demo, seat 1002, state inuse
   1.149  leg answered: leg n1-1795265764.50
   1.149  leg answered: leg n1-1795265764.49
   1.149  leg joined: leg n1-1795265764.51, bridge d89f93b1-fdf9-4cb0-a938-0dea65a0b0d3, kind basic
   1.149  leg joined: leg n1-1795265764.50, bridge d89f93b1-fdf9-4cb0-a938-0dea65a0b0d3, kind basic
   3.019  leg left: leg n1-1795265764.49, bridge 022a4984-2a17-4654-a16b-a38367d84e29
   3.019  leg joined: leg n1-1795265764.49, bridge 201bf82c-f5af-4630-80de-139575fdde56, kind basic
   3.019  leg left: leg n1-1795265763.48, bridge 022a4984-2a17-4654-a16b-a38367d84e29
   3.019  attended transferred: original n1-1795265763.48, consult n1-1795265763.48, joined ('n1-1795265763.47', 'n1-1795265764.49'), ok True
   3.019  seat finished: call demo-n1-1795265763.47, city demo, queue general, seat 1001, reason transfer, waited 0.0, talked 3.0
   3.020  leg ended: leg n1-1795265763.48, cause 16
   3.020  seat device: city demo, seat 1001, state not_inuse
   3.445  leg left: leg n1-1795265764.51, bridge d89f93b1-fdf9-4cb0-a938-0dea65a0b0d3
   3.445  leg left: leg n1-1795265764.49, bridge 201bf82c-f5af-4630-80de-139575fdde56
   3.445  leg joined: leg n1-1795265764.51, bridge 201bf82c-f5af-4630-80de-139575fdde56, kind basic
   3.446  leg ended: leg n1-1795265764.49, cause 16
   3.446  leg left: leg n1-1795265764.50, bridge d89f93b1-fdf9-4cb0-a938-0dea65a0b0d3
   3.446  leg ended: leg n1-1795265764.50, cause 16
   4.024  leg left: leg n1-1795265763.47, bridge 201bf82c-f5af-4630-80de-139575fdde56
   4.024  call left: call demo-n1-1795265763.47, by caller, cause 16
   4.024  leg left: leg n1-1795265764.51, bridge 201bf82c-f5af-4630-80de-139575fdde56
   4.025  leg ended: leg n1-1795265764.51, cause 16
   4.025  seat device: city demo, seat 1002, state not_inuse
   4.025  leg ended: leg n1-1795265763.47, cause 16
