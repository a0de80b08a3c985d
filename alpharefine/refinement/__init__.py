"""Alpha-Refine behind any base tracker."""
