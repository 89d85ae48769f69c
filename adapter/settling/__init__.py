"""Settlement from the store: cases in, statements stored, issued, corrected, explained and followed up."""
