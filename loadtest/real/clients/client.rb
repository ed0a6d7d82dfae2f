# Ruby's Net::HTTP: `client.rb URL CALLS CA`.
require 'net/http'

url, calls, ca = ARGV
target = URI(url)
options = ca.empty? ? {} : { use_ssl: true, ca_file: ca }
Net::HTTP.start(target.host, target.port, **options) do |http|
  File.readlines(calls, chomp: true, encoding: 'UTF-8').each do |line|
    path, authorization, body = line.split("\t")
    headers = { 'Content-Type' => 'application/json;charset=utf-8' }
    headers['Authorization'] = authorization unless authorization == '-'
    answer = http.post(path, body, headers)
    puts "#{answer.code}\t#{answer.body.tr("\n", ' ')}"
  end
end
