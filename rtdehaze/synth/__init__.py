"""Haze that we make ourselves: rendered drives with their truth, and haze on given pictures.

`from rtdehaze.synth.drive import FoggyDrive`, `from rtdehaze.synth.haze import add_haze`,
`from rtdehaze.synth.edges import poles_and_branches`.
"""
