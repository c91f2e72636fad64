"""Scripts that play a conversation without a browser, and say what differed.

In comes YAML that reads as a script does; out go lines for the terminal of whoever runs it, and an
`Outcome`. ``reading`` turns the file into steps or says all that is wrong with it; ``playing`` does
them one after the other, against an `Emulator` and the daemon beside it. A step waits on what the
emulator tells its feed, never by looking again and again. Nothing is written down: the words of a
script are shown to its own author only.

::

    scenario: Hello                    # the title
    engine: echo                       # of our daemon; left out: whoever runs it chooses
    steps:
      - ann: hello
      - ann sees: typing
      - ann hears: hello

Keys of a script: ``scenario`` and ``steps`` must be there. ``about`` says what it shows.
``people`` adds people to the cast (ann, bob, carol, davi) or changes them: ``name``, ``number``,
``also`` (further spellings), ``username``, ``id`` (business-scoped), ``reachable``. ``account``:
``test number for`` (a list of people), ``token expires``, ``messages per second``. ``rules``
switches ``window``, ``pair_rate``, ``throughput``, ``allow_list``. ``ladder`` says when a message
of the bot is ``sent``, ``delivered``, ``read``. ``engine`` and ``configuration`` are laid over the
daemon's configuration before it starts. ``within`` is how long an expectation waits (10s).
``leftovers: allowed`` lets answers pass that no step asked for; else each is a failure.

A step is one ``key: value``; lengths of time are ``500ms``, ``5s``, ``2m``, ``25h``, ``1d``.

What somebody does:

* ``ann: hello``, or several texts in a list; ``ann: {text, quoting, written: -2h}``;
* ``ann sends: picture`` (voice, audio, video, document, sticker, location, contact), or
  ``{picture: {caption, filename}}``, ``{location: {…}}``, ``{raw: {type, content}}``;
* ``ann taps: Yes``, a button, quick reply or row of the bot's last message that has it;
* ``ann reacts: 👍`` or ``{emoji, to}``; ``ann deletes: last``; ``ann reads``;
* ``ann phone: gone`` and ``back``; ``ann changes number: "4915550000077"``;
* ``business to ann: …``, from the business's own phone.

``quoting``, ``to`` and ``deletes`` name a message by ``last`` (their own), ``last answer`` or its
words.

What must come back. An answer is heard as soon as Graph took it, save where the phone is gone or it
failed before it was expected; each is asked for by one step only:

* ``ann hears: hello``, exactly; a list for several in order; or a block of ``text``, ``contains``,
  ``lacks``, ``begins``, ``ends``, ``matches`` (a regular expression for all of it), ``notice`` (a
  sentence of the daemon by name), ``kind``, ``quoting``, ``choices``, ``not before``, ``within``;
  ``{answers: […], within: 2s}``;
* ``ann hears lines: […]``, however many messages they stand in; ``{lines, order: any, within}``;
* ``ann hears nothing`` (for 300 ms), ``ann hears nothing: 2s``;
* ``ann sees: typing``, ``no typing``, ``waiting`` (one tick), ``delivered``, ``read``, ``off the
  record``, ``on the record``; ``{state, within}``, ``{reaction: 👍}``.

Meta's side: ``clock: +25h`` (or ``reset``); ``fault: NAME`` or ``{NAME: value, for: ann, times:
1}`` with the names of `Faults`, and ``clear faults``; ``token: expired`` (``revoked``, ``valid``);
``rules: {window: false}``; ``graph got: {sends, taken, for, within}``; ``graph refused: 131047`` or
``{code, times, for, within}``; ``webhook answered: 401``, ``graph answered: 503`` (0: no answer) or
``{status, times, within}``; ``count anew`` lets all these see only what follows; ``post webhook:
{json | text, signed: rightly | wrongly | not at all, answered: 401}``; ``all webhooks are taken``.

The daemon: ``daemon: kill``, ``stop``, ``start``, ``restart``; ``on disk: WORDS`` and ``nowhere on
disk: WORDS`` search every byte of its folder and log, in many encodings; ``every message has one
outcome`` (``{except: […]}``) wants each text back from the echo once and in order.

Made of steps: ``batch: […]`` posts in one request; ``at once: […]`` plays each entry, a step or a
list of them, beside the others; ``repeat: {times: 5, steps: […]}``, where ``{n}`` counts. ``note``
is a heading, ``wait: 500ms`` lets real time pass.

An expectation that fails is shown, and the rest is played; a step that cannot be done ends the
play. Waits are in real time, whatever the moved clock says; for somebody whose answer never came
the next ones wait a second only.
"""

from openparallax.emulator.scenario.playing import play
from openparallax.emulator.scenario.reading import load
from openparallax.emulator.scenario.script import Outcome, Scenario
from openparallax.emulator.scenario.showing import Style

__all__ = ["Outcome", "Scenario", "Style", "load", "play"]
