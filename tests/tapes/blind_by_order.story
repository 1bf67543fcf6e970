# demo-n1-1795265558.24
   0.002  13800000001 拨入 12345，线路 main，中继 carrier | 13800000001 called 12345, line main, trunk carrier
   0.005  开始录音（来电人） | recording of the caller started
   0.005  问候语播完 | the greeting ended
   0.007  服务指示去向 queue:general | the service said: queue:general
   0.007  进入队列 general，第 1 位 | joined queue general at position 1
   0.009  座席 1001 振铃 | seat 1001 rings
   0.212  开始录音（座席 1001） | recording of seat 1001 started
   0.212  座席 1001 接听（等待 0 秒，振铃 0 秒） | seat 1001 answered (waited 0 s, rang 0 s)
   0.514  座席 1001 恢复通话 | seat 1001 took the other back from hold
   0.514  座席 1001 直接转接到 demo-tape/1002 | seat 1001 transferred the call to demo-tape/1002
   0.514  与座席 1001 通话 1 秒，话务员转出 | talked to seat 1001 for 1 s; the agent transferred the call
   0.721  与座席 1002 接通 | connected to seat 1002
   2.023  来电人挂机，通话结束（原因 16） | the caller hung up; the call ended (cause 16)

# every fact
   0.000  leg started: leg n1-1795265558.24, channel PJSIP/demo-carrier-00000018, call None, endpoint demo-carrier, caller 13800000001, called 12345, context demo-from-carrier, linked n1-1795265558.24
   0.002  leg belongs: leg n1-1795265558.24, call demo-n1-1795265558.24, endpoint demo-carrier
   0.002  call arrived: call demo-n1-1795265558.24, leg n1-1795265558.24, city demo, trunk carrier, line main, called 12345, original 12345, caller 13800000001, sip_call c54f7dcf82a650ff
   0.003  leg answered: leg n1-1795265558.24
   0.005  recording started: call demo-n1-1795265558.24, leg n1-1795265558.24, file 20261121/demo-n1-1795265558.24/n1-1795265558.24.wav
   0.005  greeting ended: call demo-n1-1795265558.24
   0.007  advice asked: call demo-n1-1795265558.24, status SUCCESS, next queue:general, by service
   0.007  queue joined: call demo-n1-1795265558.24, leg n1-1795265558.24, city demo, queue general, position 1, waiting 1
   0.007  leg started: leg n1-1795265558.25, channel PJSIP/demo-1001-00000019, call demo-n1-1795265558.24, endpoint demo-1001, caller 1001, called, context demo-seats, linked n1-1795265558.24
   0.009  seat rang: call demo-n1-1795265558.24, city demo, queue general, seat 1001, leg n1-1795265558.25
   0.009  leg rang: leg n1-1795265558.25
   0.010  seat device: city demo, seat 1001, state ringing
   0.211  leg answered: leg n1-1795265558.25
   0.212  seat device: city demo, seat 1001, state inuse
   0.212  queue left: call demo-n1-1795265558.24, leg n1-1795265558.24, city demo, queue general, waiting 0
   0.212  recording started: call demo-n1-1795265558.24, leg n1-1795265558.25, file 20261121/demo-n1-1795265558.24/n1-1795265558.25.wav
   0.212  seat answered: call demo-n1-1795265558.24, city demo, queue general, seat 1001, leg n1-1795265558.25, waited 0.0, rang 0.0
   0.213  leg joined: leg n1-1795265558.25, bridge 83e6bf8c-0ce9-4114-90fd-8ffb75501725, kind basic
   0.213  leg joined: leg n1-1795265558.24, bridge 83e6bf8c-0ce9-4114-90fd-8ffb75501725, kind basic
   0.514  leg unheld: leg n1-1795265558.25
   0.514  blind transferred: by n1-1795265558.25, leg n1-1795265558.24, to demo-tape/1002, ok True
   0.514  seat finished: call demo-n1-1795265558.24, city demo, queue general, seat 1001, reason transfer, waited 0.0, talked 1.0
   0.514  leg left: leg n1-1795265558.24, bridge 83e6bf8c-0ce9-4114-90fd-8ffb75501725
   0.515  leg left: leg n1-1795265558.25, bridge 83e6bf8c-0ce9-4114-90fd-8ffb75501725
   0.516  leg ended: leg n1-1795265558.25, cause 16
   0.516  seat device: city demo, seat 1001, state not_inuse
   0.516  leg started: leg n1-1795265559.26, channel PJSIP/demo-1002-0000001a, call demo-n1-1795265558.24, endpoint demo-1002, caller 1002, called, context demo-seats, linked n1-1795265558.24
   0.519  leg rang: leg n1-1795265559.26
   0.519  seat device: city demo, seat 1002, state ringing
   0.721  leg answered: leg n1-1795265559.26
   0.721  leg joined: leg n1-1795265559.26, bridge 114578cf-1d9e-4f52-b278-9b13f8d88412, kind basic
   0.721  seat device: city demo, seat 1002, state inuse
   0.722  leg joined: leg n1-1795265558.24, bridge 114578cf-1d9e-4f52-b278-9b13f8d88412, kind basic
   2.023  leg left: leg n1-1795265558.24, bridge 114578cf-1d9e-4f52-b278-9b13f8d88412
   2.023  call left: call demo-n1-1795265558.24, by caller, cause 16
   2.023  leg left: leg n1-1795265559.26, bridge 114578cf-1d9e-4f52-b278-9b13f8d88412
   2.025  leg ended: leg n1-1795265559.26, cause 16
   2.025  leg ended: leg n1-1795265558.24, cause 16
   2.025  seat device: city demo, seat 1002, state not_inuse
