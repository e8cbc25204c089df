"""A folder of text -> a recipe to start from. look.py says what a file is, fields.py and plain.py
where the text is in it, groups.py which files make up a source, check.py whether it can be read so,
and write.py writes it down. A guess is written with what it rests on, for a person to judge."""
