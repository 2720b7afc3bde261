"""Paint a few strokes on an image, get a segmentation, and see why it came out so."""
