"""The fixed parts of the units, each with its reasons, which whoever reads the unit sees too."""

from typing import Final

HEAD: Final = """\
# OpenParallax as a service; for systemd 252 and newer. Written by `openparallax service install`,
# which writes it anew: changes of your own go into `{edit}`, not in here.
"""

UNIT: Final = """\
[Unit]
Description=OpenParallax, between a WhatsApp business number and the engine that answers
"""

NEVER_GIVE_UP: Final = """\
# Never give up: a disk that is full now may have room in an hour. What trying again cannot mend
# ends with 2 or 78, and is not tried again.
StartLimitIntervalSec=0
"""

RESTART: Final = """\
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=5
RestartPreventExitStatus=2 78
# Nor is it tried again because somebody calls: then the socket closes too, until the next start.
ExecStopPost=-{plus}/bin/sh -c 'case "$$EXIT_STATUS" in 2|78) exec systemctl {user}--no-block stop openparallax.socket;; esac'
"""  # noqa: E501 - one line of the unit

TIMES: Final = """\
# A start that copies the database, and a stop that drains longer, ask for more themselves.
TimeoutStartSec=120
# Longer than conversation.drain_seconds ({drain}) and what follows it.
TimeoutStopSec={stop}
# Fed by the event loop; it stops feeding when it hangs.
WatchdogSec=60
# The daemon alone is told to stop: what an engine has started may finish its turn.
KillMode=mixed
"""

FOLDERS: Final = """\
# config.yaml; it names people's numbers, so others do not read it.
ConfigurationDirectory=openparallax
ConfigurationDirectoryMode=0750
# The database.
StateDirectory=openparallax
StateDirectoryMode=0700
# The socket of the command line.
RuntimeDirectory=openparallax
RuntimeDirectoryMode=0700
"""

CREDENTIALS: Final = """\
# Each is a file of that name in /etc/credstore, readable by root only. Without a path, one that is
# not there is left out, and the service starts all the same.
"""

VARIABLES: Final = """\
# For whoever would rather have variables than credentials; read before rights are given up.
EnvironmentFile=-{path}
"""

MEMORY: Final = """\
# Strangers may hold half of them at the public listener; the usual 1024 would do as well.
LimitNOFILE=8192

# What is off the record is in memory only, and memory goes nowhere else.
MemorySwapMax=0
LimitCORE=0
# For handlers of core dumps that do not heed the limit.
CoredumpFilter=0
"""

FILES_AND_RIGHTS: Final = """\
# It writes to its own folders, and sees of the machine what it needs.
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
PrivateMounts=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RemoveIPC=yes

# It needs no rights: systemd has opened its port. Root and itself are the only users it knows.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateUsers=yes
KeyringMode=private
"""

RIGHTS_OF_USER: Final = """\
# What a user's manager may switch off without namespaces, which not every machine allows it.
NoNewPrivileges=yes
"""

CALLS: Final = """\
LockPersonality=yes
# Neither Python nor uvloop makes code while it runs.
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes

# Meta, Graph and the model over the internet; the manager and the command line over sockets.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
# An error that can be handled, and not a death.
SystemCallErrorNumber=EPERM
"""

SOCKET: Final = """\
[Unit]
Description=The port that Meta calls OpenParallax at

# systemd holds the port while the daemon restarts: who calls then waits, and is not refused. So
# stopping the service alone does not last, since the next call starts it: stop this one, and the
# service stops with it.
[Socket]
"""

SOCKET_END: Final = """\
FileDescriptorName=webhook
Backlog=1024
# As the daemon listens by itself: [::] is not 0.0.0.0 too.
BindIPv6Only=ipv6-only
# A daemon that fails at once must not be started for ever by a call that waits. More often than
# this is no restart of systemd's own.
TriggerLimitIntervalSec=60
TriggerLimitBurst=30

[Install]
WantedBy=sockets.target
"""

SYSUSERS: Final = """\
# The user that the daemon runs as. Written by `openparallax service install`.
u openparallax - "OpenParallax" /var/lib/openparallax
"""

TMPFILES: Final = """\
# The configuration, which the service may read and not write. Written by `openparallax service
# install`.
d /etc/openparallax 0750 root openparallax -
"""
