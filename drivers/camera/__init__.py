"""Cameras: a watched folder of pictures, or a live source; codes found by zxing-cpp and pyzbar.

`picture` and `presence` are pure; `folder` watches; `device` joins them with `drivers/decoding.py`.
"""
