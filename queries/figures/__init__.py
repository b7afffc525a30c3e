"""Figures of the analyses, in the style of one file: they take frames and never query."""

from queries.figures.loss_figures import draw_losses

__all__ = ["draw_losses"]
