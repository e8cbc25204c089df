"""Pages and plots: the only place that knows Markdown."""
