"""A tracker that speaks TraX by itself, writes beyond ASCII, and fails with such a path."""

import os

import trax

with trax.Server([trax.Region.RECTANGLE], [trax.Image.PATH], ["color"]) as server:
    box, frames = None, 0
    while True:
        request = server.wait()
        if request.type == trax.TraxStatus.QUIT:
            break
        if request.type == trax.TraxStatus.INITIALIZE:
            [(box, _)] = request.objects
        else:
            frames += 1
            os.write(2, "läuft \xff\n".encode("latin-1") + "名\n".encode())
            if frames == 2:
                raise FileNotFoundError("no weights in /home/Jürgen")
        server.status([(box, {"confidence": 1.0})])
