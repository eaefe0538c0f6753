"""Words that every part of rtdehaze speaks; depends on NumPy alone."""
