# demo-n1-1795265553.20
   0.004  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.004  开始录音（来电人） | recording of the caller started
   0.004  问候语播完 | the greeting ended
   0.006  服务指示去向 queue:general | the service said: queue:general
   0.007  进入队列 general，第 1 位 | joined queue general at position 1
   0.007  座席 1001 振铃 | seat 1001 rings
   0.211  开始录音（座席 1001） | recording of seat 1001 started
   0.212  座席 1001 接听（等待 1 秒，振铃 0 秒） | seat 1001 answered (waited 1 s, rang 0 s)
   1.225  座席 1001 恢复通话 | seat 1001 took the other back from hold
   1.225  与座席 1002 接通 | connected to seat 1002
   1.226  咨询后转接给座席 1002 | transferred after a consultation to seat 1002
   1.227  与座席 1001 通话 1 秒，话务员转出 | talked to seat 1001 for 1 s; the agent transferred the call
   2.232  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265553.20, channel PJSIP/demo-carrier-00000014, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265553.20
   0.003  leg belongs: leg n1-1795265553.20, call demo-n1-1795265553.20, endpoint demo-carrier
   0.004  call arrived: call demo-n1-1795265553.20, leg n1-1795265553.20, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call b4eafb57c921d103
   0.004  leg answered: leg n1-1795265553.20
   0.004  recording started: call demo-n1-1795265553.20, leg n1-1795265553.20, file 20261121/demo-n1-1795265553.20/n1-1795265553.20.wav
   0.004  greeting ended: call demo-n1-1795265553.20
   0.006  advice asked: call demo-n1-1795265553.20, status SUCCESS, next queue:general, by service
   0.007  queue joined: call demo-n1-1795265553.20, leg n1-1795265553.20, city demo, queue general, position 1, waiting 1
   0.007  leg started: leg n1-1795265553.21, channel PJSIP/demo-1001-00000015, call demo-n1-1795265553.20, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265553.20
   0.007  seat rang: call demo-n1-1795265553.20, city demo, queue general, seat 1001, leg n1-1795265553.21
   0.008  leg rang: leg n1-1795265553.21
   0.008  seat device: city demo, seat 1001, state ringing
   0.209  leg answered: leg n1-1795265553.21
   0.210  seat device: city demo, seat 1001, state inuse
   0.211  queue left: call demo-n1-1795265553.20, leg n1-1795265553.20, city demo, queue general, waiting 0
   0.211  recording started: call demo-n1-1795265553.20, leg n1-1795265553.21, file 20261121/demo-n1-1795265553.20/n1-1795265553.21.wav
   0.212  seat answered: call demo-n1-1795265553.20, city demo, queue general, seat 1001, leg n1-1795265553.21, waited 1.0, rang 0.0
   0.213  leg joined: leg n1-1795265553.21, bridge 5bc65a6d-d9f8-4f63-a154-eaf7f23d969b, kind basic
   0.213  leg joined: leg n1-1795265553.20, bridge 5bc65a6d-d9f8-4f63-a154-eaf7f23d969b, kind basic
   0.516  leg started: leg n1-1795265554.22, channel PJSIP/demo-1001-00000016, call None, endpoint demo-1001, caller 1001, called 1002, context demo-seats, linked n1-1795265554.22
   0.517  leg started: leg n1-1795265554.23, channel PJSIP/demo-1002-00000017, call None, endpoint demo-1002, caller 1002, called, context demo-seats, linked n1-1795265554.22
   0.518  leg rang: leg n1-1795265554.23
   0.518  seat device: city demo, seat 1002, state ringing
   0.721  leg answered: leg n1-1795265554.23
   0.722  leg answered: leg n1-1795265554.22
   0.722  seat device: city demo, seat 1002, state inuse
   0.723  leg joined: leg n1-1795265554.23, bridge 1cfa4d59-e294-4482-9988-1592b01fb401, kind basic
   0.723  leg joined: leg n1-1795265554.22, bridge 1cfa4d59-e294-4482-9988-1592b01fb401, kind basic
   1.225  leg unheld: leg n1-1795265553.21
   1.225  leg unheld: leg n1-1795265554.22
   1.225  leg left: leg n1-1795265554.23, bridge 1cfa4d59-e294-4482-9988-1592b01fb401
   1.225  leg belongs: leg n1-1795265554.23, call demo-n1-1795265553.20, endpoint demo-1002
   1.225  leg left: leg n1-1795265553.21, bridge 5bc65a6d-d9f8-4f63-a154-eaf7f23d969b
   1.225  leg joined: leg n1-1795265554.23, bridge 5bc65a6d-d9f8-4f63-a154-eaf7f23d969b, kind basic
   1.226  attended transferred: original n1-1795265553.21, consult n1-1795265554.22, joined ('n1-1795265553.20', 'n1-1795265554.23'), ok True
   1.227  seat finished: call demo-n1-1795265553.20, city demo, queue general, seat 1001, reason transfer, waited 1.0, talked 1.0
   1.227  leg ended: leg n1-1795265553.21, cause 16
   1.228  leg left: leg n1-1795265554.22, bridge 1cfa4d59-e294-4482-9988-1592b01fb401
   1.228  leg ended: leg n1-1795265554.22, cause 16
   1.228  seat device: city demo, seat 1001, state not_inuse
   2.232  leg left: leg n1-1795265553.20, bridge 5bc65a6d-d9f8-4f63-a154-eaf7f23d969b
   2.232  call left: call demo-n1-1795265553.20, by caller, cause 16
   2.233  leg left: leg n1-1795265554.23, bridge 5bc65a6d-d9f8-4f63-a154-eaf7f23d969b
   2.233  leg ended: leg n1-1795265554.23, cause 16
   2.233  leg ended: leg n1-1795265553.20, cause 16
   2.234  seat device: city demo, seat 1002, state not_inuse
