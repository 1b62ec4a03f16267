"""One file a resource. An endpoint names its report and its model; everything else is around it."""
