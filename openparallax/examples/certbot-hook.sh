#!/bin/sh
# A deploy hook of certbot, for `tls`: copies a renewed certificate to where the daemon may read it.
#
#     hook=/etc/letsencrypt/renewal-hooks/deploy/openparallax
#     openparallax example certbot-hook.sh | sudo tee $hook
#     sudo chmod 755 $hook
#
# certbot runs it at each renewal. The first time run it yourself, once the service is installed (so
# that the group is there):
#
#     sudo env RENEWED_LINEAGE=/etc/letsencrypt/live/YOUR.DOMAIN $hook
set -eu
folder=/etc/openparallax/tls
install -d -m 0750 -g openparallax "$folder"
install -m 0640 -g openparallax "$RENEWED_LINEAGE/fullchain.pem" "$folder/fullchain.pem"
install -m 0640 -g openparallax "$RENEWED_LINEAGE/privkey.pem" "$folder/privkey.pem"
