"""Files: models (`.spinney`, APOC's `.cl`), images, and writing them whole or not at all."""
