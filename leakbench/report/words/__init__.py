"""How growth is put into words: sentences, rows of a leak, commands to go on with."""
