"""What the docks do, without Qt: long work as generators, live following, messages, keeping."""
