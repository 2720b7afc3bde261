"""Files in, files out: train, predict, score and measure, one file or a folder of them."""
