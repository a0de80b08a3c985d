"""Inference forms of the networks: the same functions in fewer passes over memory."""

from alpharefine.nets.inference.forms import put_into_inference_form, to_inference_form

__all__ = ["put_into_inference_form", "to_inference_form"]
