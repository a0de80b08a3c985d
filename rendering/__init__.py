"""Procedural video: textures, sprites, motion and compositing for the built-in sequences.

Everything is computed with elementwise numpy arithmetic (add, multiply, divide, square root, floor,
table look-up), which IEEE 754 defines to the bit, so that every machine renders the same pixels.
Array `sin`, `exp`, dot products and OpenCV filters are left out on purpose: their last bit depends
on the CPU.
"""
