# Ruby's Net::HTTP: URL KIND.
require "net/http"

url, kind = ARGV
uri = URI(url)
request = Net::HTTP::Post.new(uri)
files = [["plain", File.open(ENV["PLAIN"], "rb")], ["odd", File.open(ENV["ODD"], "rb")]]
request.set_form([["note", ENV["NOTE"]], *files], "multipart/form-data")
request["Transfer-Encoding"] = "chunked" if kind == "chunked"
request["Expect"] = "100-continue" if kind == "expect"
connection = Net::HTTP.new(uri.host, uri.port)
connection.continue_timeout = 5 if kind == "expect"
response = connection.start { |http| http.request(request) }
abort "#{response.code} #{response.body}" unless response.code == "200"
