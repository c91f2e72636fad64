"""The daemon as a service of systemd: its units as text, and putting them where they belong.

In come the settings and the program that is to run; out go files (`units`), written, taken in by
the manager, started and removed again (`installing`, `removing`), and what the manager says about
it in words (`condition`). Each call of ``systemctl`` and its kin goes through `System`, so that
every one that fails has a sentence. What is written is remembered nowhere: it is the files that
`layout` names, and each begins with a line that says who wrote it. What lies there and does not is
somebody else's, and is left alone.

The door to it is the command line; nobody else installs anything.
"""
