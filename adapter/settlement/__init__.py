"""Settlement: stays, an agreement and rates in; statements out. Pure."""
