"""``python -m tests.faults.net.attacks NAME PORT SECONDS``: one attack, in a process of its own."""

import sys

from tests.faults.net import floods, many, slow
from tests.faults.net.strangers import Attack, run

ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        slow.dripping_headers,
        slow.dripping_header_lines,
        slow.dripping_bodies,
        slow.dripping_chunks,
        slow.endless_extensions,
        slow.endless_trailers,
        slow.half_sent_bodies,
        slow.half_closed,
        slow.answers_not_read,
        slow.metrics_not_read,
        many.idle_connections,
        many.idle_after_a_request,
        many.waiting_bodies,
        many.stalled_handshakes,
        many.opened_and_closed,
        many.cut_anywhere,
        many.garbage_for_a_handshake,
        many.handshakes,
        floods.largest_bodies,
        floods.larger_bodies,
        floods.bodies_almost_whole,
        floods.many_headers,
        floods.huge_headers,
        floods.one_endless_header,
        floods.tiny_chunks,
        floods.bombs,
        floods.pipelines,
        floods.forged_messages,
    )
}

if __name__ == "__main__":
    _, name, port, seconds = sys.argv
    run(ATTACKS[name], port, float(seconds))
