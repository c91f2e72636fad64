"""From the engine's words to what WhatsApp shows: parts that fit. Pure.

Rendering always follows the pipeline and is no stage. Dispatch may enter.
"""
