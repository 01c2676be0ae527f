"""Objectives of self-supervised pre-training, one file each, behind `base.Objective`."""
