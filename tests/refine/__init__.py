"""Alpha-Refine: crops, networks, Refiner and refined tracker."""
