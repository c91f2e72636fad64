"""Meta in: the public listener.

In comes HTTP from anybody; out goes a `Notification` to the callable ``accept`` that the app hands
in, and an answer to Meta. `server` speaks HTTP, over `tls` where it is told to, `signature` tells
Meta from strangers and for which of our numbers a request may speak, `body` and `payload` turn
bytes into the model. Each sort of update is read in a file of its own (`inbound`, `echoes`,
`relinks`, `preferences`, `statuses`, `news`), with the help of `content`, `details`, `senders` and
`values`.

A request is answered 200 only after ``accept`` returned, that is, once its messages are on disk.
What is signed but not understood is counted by a short name and answered 200 too: any other answer
makes Meta repeat it for days. Nothing is read before its signature is checked, and what a stranger
sends costs no more than its size. Nobody else enters; this room knows no other room but the model.
"""
