"""Grounding: where on a picture of a screen is the thing that an instruction means?"""
