"""The composition roots: where the parts are made and introduced to each other.

In comes `Settings`; out goes a running house. Every part is built here, started and stopped in
order, and handed what it needs by name; rooms that may not know each other meet through callables
that this room passes on. `plugins` turns the names of the configuration into engines and stages.
`daemon` is the process round the house, `notify` what that tells the service manager.

What looks at several rooms at once is here too: how the house is (`condition`, `status`), what an
operator asks of it (`operator`, `whom`), and what is done on the side (`housekeeping`). Only the
command line enters; where no daemon runs it works with the file through `Operator` alone.
"""
