"""What people install and run: the one-file program, the wheel, the image, the service.

Run by ``scripts/try-install``; ``scripts/test`` leaves this folder out, since much here has to be
built, downloaded or started. What is tried is what was built from this checkout, in folders and
namespaces of its own: nothing is installed on this machine.
"""
