"""The Open Inference Protocol, version 2, so that clients made for other servers talk to this one.

Specification: https://github.com/kserve/open-inference-protocol, and Triton's binary tensor extension.
"""
