"""The kill loop: a real daemon, killed again and again under load, and a verdict at the end.

``people`` and ``crowd`` are Meta's side: persons who write, in batches, over several connections,
repeated until taken and sometimes beyond. ``moods`` is Graph's: it answers, refuses, stalls or cuts
the line as dice say, and reports the statuses of what it took until they are taken. Both outlive
``daemon``, the process that is killed when ``killer`` says so. ``loop`` runs them; ``walk`` and
``repeats`` are the oracle, which knows what people were promised: what was acknowledged has its
outcome, in order, and nothing goes out twice but what nobody could know about. ``records`` reads
what the daemon left on disk.

    python -m tests.flow.kill --kills 100 --seed 7
"""
