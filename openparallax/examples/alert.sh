#!/bin/sh
# An alert command: tells a phone, by ntfy; other ways are below. Name it in alerts.alert_command.
#
# What is wrong is on standard input and in OPENPARALLAX_ALERT_TEXT; _SUBJECT is one line, _SEVERITY
# is critical, warning or info, _STATE is raised, repeated, all_clear or test, _KIND and _SINCE say
# what and since when. Of the daemon's own variables only harmless ones are there, and those whose
# names begin with ALERT_: give a password as ALERT_PASSWORD, or let the program read a file.
#
# It must be readable and executable for the daemon's user. Try it: openparallax alerts test
set -eu

# Anybody who knows the topic reads it: take a name that nobody guesses, or a server of your own.
topic="${ALERT_NTFY_TOPIC:-https://ntfy.sh/REPLACE-WITH-A-LONG-RANDOM-NAME}"

case "$OPENPARALLAX_ALERT_SEVERITY" in
    critical) priority=urgent ;;
    warning) priority=high ;;
    *) priority=default ;;
esac

exec curl --silent --show-error --fail --max-time 20 \
    --header "Title: $OPENPARALLAX_ALERT_SUBJECT" \
    --header "Priority: $priority" \
    --data-binary @- \
    "$topic"

# By mail, where msmtp is set up for the daemon's user (of the service: .msmtprc, mode 0600, in
# /var/lib/openparallax). A local sendmail does not work in the service: it is set-group-id and
# writes to a queue, and what the daemon starts there may do neither; nor does sudo.
#
#     { printf 'Subject: %s\n\n' "$OPENPARALLAX_ALERT_SUBJECT"; cat; } | msmtp you@example.org
#
# By Pushover:
#
#     curl --silent --show-error --fail --max-time 20 https://api.pushover.net/1/messages.json \
#         --form-string "token=$ALERT_PUSHOVER_TOKEN" --form-string "user=$ALERT_PUSHOVER_USER" \
#         --form-string "title=$OPENPARALLAX_ALERT_SUBJECT" \
#         --form-string "message=$OPENPARALLAX_ALERT_TEXT"
#
# On the desktop, with the daemon running as yourself:
#
#     notify-send --urgency=critical "$OPENPARALLAX_ALERT_SUBJECT" "$OPENPARALLAX_ALERT_TEXT"
